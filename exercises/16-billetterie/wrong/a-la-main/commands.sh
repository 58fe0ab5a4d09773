kubectl label pods -l app=billetterie role=site --overwrite
