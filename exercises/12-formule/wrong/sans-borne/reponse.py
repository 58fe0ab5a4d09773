{"six_pods_a_200": 24}
