"""Pure rules on values that people write in many ways: phones, e-mails, names, tax ids. No I/O, no database."""
