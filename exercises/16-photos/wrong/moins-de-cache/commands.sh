kubectl set env deployment photos CACHE_MB=10
