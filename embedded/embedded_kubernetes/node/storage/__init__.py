"""Volumes and what fills them."""
