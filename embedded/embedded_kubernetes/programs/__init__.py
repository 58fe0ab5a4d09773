"""Kubernetes' own programs: found, downloaded, compiled, checked."""
