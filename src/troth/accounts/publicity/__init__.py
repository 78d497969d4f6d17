"""What a member shows to everybody: chosen field by field, apart from their profile, and taken back at once."""
