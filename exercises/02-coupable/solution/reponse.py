{
    "refus": "kube-apiserver",
    "sans_noeud": "kube-scheduler",
    "deployment_seul": "kube-controller-manager",
    "noeud_muet": "kubelet",
    "nom_inconnu": "CoreDNS",
    "service_muet": "kube-proxy",
}
