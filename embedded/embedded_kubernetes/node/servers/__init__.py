"""What a node serves: the kubelet's API, metrics, the ingress controller."""
