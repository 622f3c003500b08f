"""The audit trail of a service: who did or saw what, when and from where, in a chain that shows every later change."""
