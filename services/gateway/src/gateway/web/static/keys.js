// The keyboard map of the workplace.
