"""What a member may log in with besides a password: codes from an app, codes on paper, and passkeys."""
