{"nom_inconnu": "kube-proxy", "service_muet": "CoreDNS"}
