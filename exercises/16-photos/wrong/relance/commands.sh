kubectl rollout restart deployment photos
