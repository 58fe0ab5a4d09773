kubectl patch service billetterie --patch '{"spec": {"ports": [{"port": 80, "targetPort": 80}]}}'
