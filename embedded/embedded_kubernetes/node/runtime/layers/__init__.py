"""The files of an image as one tree: its layers under the container's own, by overlayfs or, where refused, by copy."""
