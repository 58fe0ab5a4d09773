"""The namespaces that a class gives a student: which are taken, by whom, and how one is emptied."""
