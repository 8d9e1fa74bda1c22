"""The demo city: everything `make demo` shows, made by the platform's own rules out of synthetic people and enterprises."""
