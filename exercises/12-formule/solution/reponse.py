{
    "quatre_pods_a_90": 6,
    "cinq_pods_a_54": 5,
    "trois_pods_a_20": 2,
    "six_pods_a_200": 10,
}
