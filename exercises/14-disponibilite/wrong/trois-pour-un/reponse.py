{"trois_services_a_99_9": 99.9}
