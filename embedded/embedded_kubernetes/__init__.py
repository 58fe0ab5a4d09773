"""A whole Kubernetes cluster out of plain processes of one ordinary user.

What is public: `cluster` (`EmbeddedCluster`), `programs.binaries`, `programs.downloads`, `control.etcd_gateway`,
`control.control_plane`, `preflight`, `node.isolation`, `paths`, `errors`, `progress`, `processes`, `files`, `lock`,
`quantities` and `selectors`. Everything else may change in any version. Nothing is imported here: a node's
process is to stay small.
"""
