"""A class on one cluster, from the teacher's side: made, checked and taken away again."""
