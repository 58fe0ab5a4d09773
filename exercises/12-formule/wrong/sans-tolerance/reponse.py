{"cinq_pods_a_54": 6}
