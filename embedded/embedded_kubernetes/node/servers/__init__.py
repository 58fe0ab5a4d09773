"""What a node serves: the kubelet's API and metrics."""
