"""What any log-in needs, whoever logs in: passwords, second factors, recovery codes and what is kept of a secret."""
