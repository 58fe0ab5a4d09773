kubectl set selector service/stock app=stock,port=8080
