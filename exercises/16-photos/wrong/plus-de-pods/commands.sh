kubectl scale deployment photos --replicas=4
