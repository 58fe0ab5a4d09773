{"trois_pods_a_20": 1}
