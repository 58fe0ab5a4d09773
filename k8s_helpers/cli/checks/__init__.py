"""What `k8s-lab doctor` looks at, by subject: this machine, its programs, images, WSL, a cluster that exists."""
