{"cluster_manage": "PaaS"}
