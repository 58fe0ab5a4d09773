kubectl set env deployment cantine STARTUP_SECONDS=0
