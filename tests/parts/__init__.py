"""What tests share: made sound, scenes, models, displays, live shows."""
