{"heroku_pour_heroku": "PaaS", "heroku_pour_votre_client": "PaaS"}
