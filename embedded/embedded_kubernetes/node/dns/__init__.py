"""DNS of the cluster: what a cluster's CoreDNS answers, and what a kubelet writes for a pod's resolver."""
