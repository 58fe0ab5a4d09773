"""Who programs run as: the ids that a user namespace has, and what a program of a container becomes in it."""
