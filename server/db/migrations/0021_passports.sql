-- Passports of other states are a way to verify as well; what is counted is the state's code with the number.
alter table compliance.identity drop constraint identity_method_check;
alter table compliance.identity add constraint identity_method_check check (method in (
  'mobile', 'attestation', 'resident-id', 'organisation', 'passport-cn', 'passport', 'foreign-permanent-resident',
  'hk-macau-permit', 'taiwan-permit', 'oidc', 'certification'));
