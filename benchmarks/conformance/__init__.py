"""How far a node behaves as a kubelet, by Kubernetes' own suite of tests (`e2e.test`)."""
