"""The kubelet's work: one worker a pod, from its first sight to its last trace."""
