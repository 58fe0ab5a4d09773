{
    "quatre_pods_a_90": ...,
    "cinq_pods_a_54": ...,
    "trois_pods_a_20": ...,
    "six_pods_a_200": ...,
}
