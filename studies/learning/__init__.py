"""What a picture teaches: tune, PPO, random search and a regression at equal numbers of pictures."""
