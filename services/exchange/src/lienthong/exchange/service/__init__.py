"""What the exchange does: publishing, subscribing, delivering; transactions begin and end here."""
