"""Services as a user-space proxy: kube-proxy's work, ports of the node, the API server's way into the cluster."""
