"""Pure rules on values people write in many ways: phones, e-mail addresses, names, tax ids."""
