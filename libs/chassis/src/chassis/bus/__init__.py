"""Messages on both buses: topology, relay, subscriptions; never imported by an api or jobs process."""
