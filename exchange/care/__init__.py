"""Care for sensitive data and what follows a grant (重点保护与事后监管): alerts, break-glass, holds, usage, disposal, liability."""
