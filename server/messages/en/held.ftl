# Ways out of a held account: joining, asking for a review.
held-join = Join my accounts
held-code = Get a code to unlock the account
held-review = Ask for a review
error-cannot-join = These two accounts cannot be joined: they no longer share the same details, or one is locked at the request of an authority.

held-code-lead = A code was sent to the phone { $phone }. With the right code the account is no longer locked for want of a sign-in.
held-code-lead-mail = A code was sent to the account’s mail address. With the right code the account is no longer locked for want of a sign-in.
held-code-back = Back
held-code-nowhere-title = No code could be sent
held-code-nowhere = The account has neither a phone nor a mail address. Ask your office's personnel section to add one to the HR profile; after the next reconciliation a code can be sent.

join-title = Join two accounts of mine
join-lead = For two accounts of one person. Enter user name and password of the account that is standardised; the next step asks which one stays. Nothing in either account is lost.
join-username = User name of the other account
join-password = Password of the other account
join-password-hint = Leave it empty if that account has no password: a code will be sent to its phone.
join-send = Continue
join-back = Back
join-another = This is not the account that was standardised with that citizen ID number. Enter another account, or ask for a review.
join-code-lead = If that account has no password, a code was sent to its phone or mail.
join-choose-title = Which account stays
join-choose-lead = The account that you do not choose is locked; its data are kept.
join-choose-holder = { $account } (standardised)
join-choose-held = { $account } (the one signed in to now)
join-hint-account = User name { $username } · made on { $created } · last used { $last }
join-unknown = not known
join-choose-send = Join the accounts
join-choose-empty = Choose the account that stays.
join-late = The time to choose is over. Begin again.
join-done-title = The accounts are joined
join-done-holder = From now on use account { $account }: you are signed in to it. The other account stays locked; its data are kept.
join-done-held = Account { $account } stays and is standardised. Choose Continue.
sms-joined = Hue-S: account { $goes } was joined to account { $stays }. If that was not you, call 19001075.

review-title = The request for a review has been received
review-text = Bring the identity card to the nearest help counter in office hours, and give the receipt number. An officer will compare the papers and decide. Nothing in the account is lost.
review-open = A review was asked for, receipt
event-joined = Joined to account { $account }
event-review = A review was asked for, receipt { $receipt }
held-recorded = This has been recorded. Reasons that still lock the account, shown below: { $n }.
held-account = Account { $username } · { $unit }
held-until = This page stays open until { $at }. Sign in again to see it after that.
held-move-on = Continue with the new account
held-move-sign-in = Sign in with the new account
