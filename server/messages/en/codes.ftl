# One-time codes, and the messages that carry them.
code-label = One-time code
code-hint = 6 digits, good for 5 minutes
code-send = Continue
code-again = Send another code
code-never = Never tell this code to anybody. No officer asks for it.
code-wrong = That is not the code. { $left } tries are left; after that, ask for another code.
code-over = The code has expired or was typed too often. Ask for another code.
code-too-often = Many codes were sent. Try again in 1 hour, or come to a help counter.
sms-code = Hue-S: your code is { $code }, good for 5 minutes. Never tell it to anybody.

form-code-title = Enter the code
form-code-lead = A code was sent to the phone { $phone }. This is the last step of standardising the account.
form-code-back = Change what was entered
form-fields-ask = Send a code to see which field differs
form-fields-hint = The code goes to the phone that was given when the card was made.
form-fields-title = See which field differs
form-fields-lead = If this national id is in the population data, a code was sent to the phone that was given when the card was made.
form-fields-error-one = Three fields match. Not matching: { $fields }. If the card was renewed, enter what stands on the newest.
form-fields-error = Not matching: { $fields }. If the card was renewed, enter what stands on the newest.
form-fields-fine = All four match now. Send them again.

sign-in-by-code = Account without a password: sign in by a one-time code
sign-in-code-title = Sign in by a one-time code
sign-in-code-lead = For an account that has no password. The code goes to the phone or mail on file.
sign-in-code-sent-title = Enter the code
sign-in-code-sent-lead = If this user name has an account without a password, a code was sent to its phone or mail.
sign-in-code-back = Enter another user name
sign-in-code-send = Send a code
sign-in-kept = The session has ended. What was entered is kept for 30 minutes: sign in again to send it.
