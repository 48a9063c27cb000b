# The pages.
page-service = Hue-S account
page-province = City of Huế
page-skip = Skip to main content
page-language = English
page-wrong = Please check
page-errors = Something needs your attention
page-code = Code
page-help = Need help? Call 19001075 or visit the nearest support counter during office hours.

sign-in-title = Sign in
sign-in-lead = Use your Hue-S account or your official account.
sign-in-username = User name
sign-in-password = Password
sign-in-button = Sign in
sign-in-wrong = The user name or password is not right. Please try again.
sign-in-empty = Enter both user name and password.
sign-in-no-username = Enter a user name.
sign-in-unreadable = What was sent could not be read. Please enter it again.
sign-in-too-often = Too many tries. Please try again in 15 minutes, or call 19001075.
sign-in-again = That choice has expired. Please sign in again.
sign-out = Sign out
choose-title = Choose an account
choose-lead = Several accounts share this user name. Choose the one you want to use.

form-title = Standardise your account
form-lead = Enter four details exactly as given for your identity card. Each person standardises one account; nothing in the account is lost.
form-deadline = To be done by the end of { $day }.
form-full-name = Full name
form-hint-full-name = With accents, as on the card
form-national-id = National id
form-hint-national-id = 12 digits, printed on the card
form-issued-on = Issue date
form-hint-issued-on = The date on the back of the card, for example 15/8/2021
form-phone = Phone number
form-hint-phone = The number given when the card was made
form-send = Send
form-put-off = Later
form-whose = This account carries the name { $stated }, but the form says { $typed }. An account can be standardised for one person only. To help somebody else, sign in with their account.
form-mine = Yes, this is my account
form-anew = Start again
form-unreadable = What was sent could not be read. Please enter the four details again.
form-no-full-name = Enter your full name.
form-no-national-id = Enter your national id.
form-no-issued-on = Enter the issue date.
form-no-phone = Enter your phone number.
form-bad-full-name = Enter your full name as on the card, letters only.
form-bad-national-id = A national id has 12 digits; { $n } were entered. Enter the number printed on the card.
form-bad-national-id-9 = A national id has 12 digits; 9 were entered, perhaps an old CMND number. Enter the number printed on the card.
form-bad-issued-on = The issue date is on the back of the card, for example 15/8/2021. The date entered ({ $typed }) is not right.
form-bad-phone = That is not a phone number. Enter a Vietnamese mobile number, for example 0912 345 678.
form-differs = The details do not match the population database. Check all four against your newest card; the phone is the one given when it was made. If it still does not work, bring the card to a support counter; the account works as before. ({ $left } tries left today.)
form-differs-held = The details do not match the population database. Check all four against your newest card; the phone is the one given when it was made. If it still does not work, bring the card to a support counter. ({ $left } tries left today.)
form-too-often = No tries are left today. Try again tomorrow, or bring the card to a support counter; the account works as before.
form-too-often-held = No tries are left today. Try again tomorrow, or bring the card to a support counter.

answer-receipt = Reference number
answer-on = Continue
answer-standardised-title = Account standardised
answer-standardised-text = The account is standardised for { $name }. Next: install VNeID and activate level 2.
answer-done-title = This account was standardised before
answer-done-text = There is nothing more to fill in.
answer-pending-title = Details received
answer-pending-text = Details received at { $at }. The population database is busy; the result will come by itself, and the account works as before.
answer-pending-text-held = Details received at { $at }. The population database is busy; the result will come by itself.
answer-taken-title = This national id belongs to another account
answer-taken-text = The details match, but this national id was standardised for another account, so this account is held for now. Sign in again to see the way out. Nothing is lost.
answer-revoked-title = This number was replaced
answer-revoked-text = This number was replaced by another. Enter the number on the new card, or ask the police of your commune.
answer-deceased-title = Please visit a support counter
answer-deceased-text = The account cannot be standardised with this number. Bring your papers to a support counter; everything in the account is kept.

privacy-title = What the details are used for
privacy-text = The four details are only compared with the national population database, under letter 125/UBND of 14/7/2023. They are stored encrypted; each comparison is written into the account's history. (Version 1)

home-title = My account
home-standardised = The account is standardised.
home-pending = The details wait to be compared. Reference number: { $receipt }. There is nothing more to fill in.
home-put-off = Put off. The form will be shown again at the next sign-in.
home-open = The account is open.
history-title = History of the account
sessions-title = Where you are signed in
sessions-began = Began
sessions-seen = Last used
sessions-close-others = Sign out everywhere else

held-title = The account is held
held-several = The account opens when all { $n } reasons below are gone.
held-form = Standardise with my own details
held-opened = The account is open again
held-opened-text = Sign out and in again to use it.

fault-title = The system is busy
fault-text = This could not be done; nothing was changed. Please try again in a few minutes.
missing-title = No such page
missing-text = The address may have changed. Please go back to the first page.

serve-open = Open { $url } (Ctrl-C to stop)
