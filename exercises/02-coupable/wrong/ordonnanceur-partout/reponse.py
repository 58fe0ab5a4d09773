{"deployment_seul": "kube-scheduler"}
