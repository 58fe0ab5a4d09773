"""Below the line that `cri` draws: containers as processes of an ordinary user."""
