"""Headers of real exports, with what is made up in their rows."""

from __future__ import annotations

HUBSPOT_CONTACTS = (
    "Record ID,First Name,Last Name,Email,Phone Number,Lead Status,Create Date,Associated Company,"
    "Country/Region,Contact owner"
)
HUBSPOT_CONTACTS_JOB = (
    "Record ID,First Name,Last Name,Email,Phone Number,Job Title,Company Name,Contact owner"
)
HUBSPOT_CONTACTS_OLD = (
    "Contact ID,First Name,Last Name,Email,Annual Revenue,Associated Company ID,Associated Deals,"
    "Lifecycle Stage,Website URL,HubSpot Score,City,Number of Associated Deals,State/Region,"
    "Total Revenue"
)
HUBSPOT_COMPANIES = "Record ID,Company name,Website URL,Company owner,Create Date"
HUBSPOT_COMPANIES_DOMAIN = "Record ID,Company name,Company Domain Name,Country/Region,Description"
HUBSPOT_COMPANIES_UPPER = (
    "Record ID,Company Name,Domain,Company Owner,Industry,Create Date,Last Activity Date"
)
HUBSPOT_DEALS = (
    "Record ID,Deal Name,Deal Stage,Amount,Deal owner,Close Date,Create Date,Last Activity Date"
)
SALESFORCE_LEAD = (
    "Id,IsDeleted,MasterRecordId,LastName,FirstName,Salutation,Name,Title,Company,Street,City,"
    "State,PostalCode,Country,Latitude,Longitude,GeocodeAccuracy,Address,Phone,Email,Website,"
    "PhotoUrl,Description,LeadSource,Status,Industry,Rating,AnnualRevenue,NumberOfEmployees,"
    "OwnerId,IsConverted,ConvertedDate,ConvertedAccountId,ConvertedContactId,"
    "ConvertedOpportunityId,IsUnreadByOwner,CreatedDate,CreatedById,LastModifiedDate,"
    "LastModifiedById,SystemModstamp,LastActivityDate,LastViewedDate,LastReferencedDate,Jigsaw,"
    "JigsawContactId,CompanyDunsNumber,DandbCompanyId,EmailBouncedReason,EmailBouncedDate,"
    "IndividualId"
)
SALESFORCE_CONTACT = (
    "Id,IsDeleted,MasterRecordId,AccountId,LastName,FirstName,Salutation,Name,OtherStreet,"
    "OtherCity,OtherState,OtherPostalCode,OtherCountry,OtherLatitude,OtherLongitude,"
    "OtherGeocodeAccuracy,OtherAddress,MailingStreet,MailingCity,MailingState,MailingPostalCode,"
    "MailingCountry,MailingLatitude,MailingLongitude,MailingGeocodeAccuracy,MailingAddress,Phone,"
    "Fax,MobilePhone,HomePhone,OtherPhone,AssistantPhone,ReportsToId,Email,Title,Department,"
    "AssistantName,LeadSource,Birthdate,Description,OwnerId,HasOptedOutOfEmail,HasOptedOutOfFax,"
    "DoNotCall,CanAllowPortalSelfReg,CreatedDate,CreatedById,LastModifiedDate,LastModifiedById,"
    "SystemModstamp,LastActivityDate,LastCURequestDate,LastCUUpdateDate,LastViewedDate,"
    "LastReferencedDate,EmailBouncedReason,EmailBouncedDate,IsEmailBounced,PhotoUrl,Jigsaw,"
    "JigsawContactId,IndividualId"
)
SALESFORCE_ACCOUNT = (
    "Id,IsDeleted,MasterRecordId,Name,Type,ParentId,BillingStreet,BillingCity,BillingState,"
    "BillingPostalCode,BillingCountry,BillingLatitude,BillingLongitude,BillingGeocodeAccuracy,"
    "BillingAddress,ShippingStreet,ShippingCity,ShippingState,ShippingPostalCode,ShippingCountry,"
    "ShippingLatitude,ShippingLongitude,ShippingGeocodeAccuracy,ShippingAddress,Phone,Fax,Website,"
    "PhotoUrl,Industry,AnnualRevenue,NumberOfEmployees,Description,OwnerId,CreatedDate,CreatedById,"
    "LastModifiedDate,LastModifiedById,SystemModstamp,LastActivityDate,LastViewedDate,"
    "LastReferencedDate,IsCustomerPortal,Jigsaw,JigsawCompanyId,AccountSource,DunsNumber,"
    "Tradestyle,NaicsCode,NaicsDesc,YearStarted,SicDesc,DandbCompanyId"
)
SALESFORCE_OPPORTUNITY = (
    "Id,IsDeleted,AccountId,Name,Description,StageName,Amount,Probability,CloseDate,Type,NextStep,"
    "LeadSource,IsClosed,IsWon,ForecastCategory,ForecastCategoryName,CampaignId,OwnerId,CreatedDate"
)
SALESFORCE_CONTACT_REPORT = (
    "Contact ID,First Name,Last Name,Title,Account Name,Lead Source,Mailing Street,Mailing City,"
    "Mailing State,Mailing Zip/Postal Code,Mailing Country,Phone,Mobile,Home Phone,Fax,Email,"
    "Email Opt Out,Do Not Call,Birthdate,Asst. Phone"
)
SALESFORCE_LEAD_REPORT = (
    "Lead ID,First Name,Last Name,Title,Company / Account,Email,Phone,Lead Source,Lead Status,"
    "Lead Owner,Street,City,State/Province,Zip/Postal Code,Country"
)
SALESFORCE_ACCOUNT_REPORT = (
    "Account ID,Account Name,Billing Street,Billing City,Billing State/Province,"
    "Billing Zip/Postal Code,Billing Country,Phone,Employees,SIC Code"
)
MAILCHIMP = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
MAILCHIMP_CLEANED = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,"
    "CLEAN_CAMPAIGN_ID,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
MAILCHIMP_UNSUBSCRIBED = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,"
    "UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
STRIPE_CUSTOMERS = (
    "id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,Total Spend,Payment Count,"
    "Refunded Volume,Dispute Losses,tag (metadata)"
)
STRIPE_CUSTOMERS_OLD = "id,Description,Email,Name,Created (UTC),Delinquent,Business Vat ID"
STRIPE_PAYMENTS = (
    "id,Description,Seller Message,Created (UTC),Amount,Amount Refunded,Currency,Fee,Tax,Mode,"
    "Status,Customer ID,Customer Description,Customer Email,Captured,Card ID,PaymentIntent ID"
)
SHOPIFY_CUSTOMERS = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
    "Default Address Address1,Default Address Address2,Default Address City,"
    "Default Address Province Code,Default Address Country Code,Default Address Zip,"
    "Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,"
    "Tags"
)
SHOPIFY_CUSTOMERS_NEW = (
    SHOPIFY_CUSTOMERS
    + ",Accepts WhatsApp Marketing,Birth date (customer.metafields.facts.birth_date)"
)
CALENDLY = (
    "User Name,Team,Invitee Name,Invitee First Name,Invitee Last Name,Invitee Email,"
    "Invitee Time Zone,Invitee accepted marketing emails,Text Reminder Number,Event Type Name,"
    "Start Date & Time,End Date & Time,Location,Event Created Date & Time,Canceled,Canceled By,"
    "Cancellation reason,Question 1,Response 1,UTM Campaign,UTM Source,UTM Medium,UTM Term,"
    "UTM Content,Salesforce UUID,Event Price,Payment Currency,Guest Email(s),Invitee Reconfirmed,"
    "Marked as No-Show,Meeting Notes,Group,User Email,Event UUID,Invitee UUID,"
    "Invitee scheduled by,Scheduling method"
)
META_LEADS = (
    "id,created_time,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,"
    "form_name,is_organic,platform,full_name,phone_number,email,inbox_url,lead_status"
)
WEBFORM = "Submission ID,Submitted at,First Name,Last Name,Email,Phone,Company,Message,Page URL"
WEBFORM_SHORT = "Name,Email,Message"
DYNAMICS_LEAD = (
    "(Do Not Modify) Lead,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Subject,"
    "First Name,Last Name,Job Title,Company Name,Email,Business Phone,Country,State or Province,"
    "Description,Lead Source,Rating,Source Campaign"
)
DYNAMICS_CONTACT = (
    "(Do Not Modify) Contact,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,First Name,"
    "Last Name,Business Phone, Full Name,Email,Email Address 2,Job Title,Company Name,Mobile Phone"
)
DYNAMICS_CONTACT_FRENCH = (
    "(Ne pas modifier) Contact,(Ne pas modifier) Somme de contrôle de la ligne,"
    "(Ne pas modifier) Modifié le,Prénom,Nom,Fonction"
)
DYNAMICS_ACCOUNT = (
    "(Do Not Modify) Account,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Account Name,"
    "Main Phone,Primary Contact,Email (Primary Contact) (Contact),Address 1: City,"
    "Address 1: Country/Region"
)
ZENDESK = "Summation column,Id,Requester,Requester id,Requester email,Subject,Tags,Status,Priority"

SALESFORCE_CASE = (
    "Id,IsDeleted,CaseNumber,ContactId,AccountId,SuppliedName,SuppliedEmail,Type,Status,Reason,"
    "Origin,Subject,Priority,Description,IsClosed,ClosedDate,IsEscalated,OwnerId,CreatedDate,"
    "LastModifiedDate,SystemModstamp,ContactPhone,ContactEmail"
)
SALESFORCE_CAMPAIGN = (
    "Id,IsDeleted,Name,ParentId,Type,Status,StartDate,EndDate,ExpectedRevenue,BudgetedCost,"
    "ActualCost,ExpectedResponse,NumberSent,IsActive,Description,NumberOfLeads,OwnerId,CreatedDate,"
    "LastModifiedDate,SystemModstamp"
)
SALESFORCE_CAMPAIGN_MEMBER = (
    "Id,IsDeleted,CampaignId,LeadId,ContactId,Status,HasResponded,CreatedDate,LastModifiedDate,"
    "SystemModstamp,FirstRespondedDate,LeadOrContactId"
)
SALESFORCE_TASK = (
    "Id,WhoId,WhatId,Subject,ActivityDate,Status,Priority,OwnerId,Description,IsDeleted,AccountId,"
    "IsClosed,CreatedDate,LastModifiedDate,SystemModstamp"
)
GOOGLE_ADS_LEAD = (
    "lead_id,api_version,form_id,campaign_id,google_key,is_test,gcl_id,adgroup_id,creative_id,"
    "Full name,User email,User phone,lead_submit_time"
)
#: Header → the source it tells of; null = none of ours.
TOLD_BY = {
    HUBSPOT_CONTACTS: "hubspot_contacts",
    HUBSPOT_CONTACTS_JOB: "hubspot_contacts",
    HUBSPOT_CONTACTS_OLD: "hubspot_contacts",
    HUBSPOT_COMPANIES: "hubspot_companies",
    HUBSPOT_COMPANIES_DOMAIN: "hubspot_companies",
    HUBSPOT_COMPANIES_UPPER: "hubspot_companies",
    HUBSPOT_DEALS: "hubspot_deals",
    SALESFORCE_LEAD: "salesforce_leads",
    SALESFORCE_LEAD_REPORT: "salesforce_leads",
    SALESFORCE_CONTACT: "salesforce_contacts",
    SALESFORCE_CONTACT_REPORT: "salesforce_contacts",
    SALESFORCE_ACCOUNT: "salesforce_accounts",
    SALESFORCE_ACCOUNT_REPORT: "salesforce_accounts",
    SALESFORCE_OPPORTUNITY: "salesforce_opportunities",
    SALESFORCE_CASE: "salesforce_cases",
    SALESFORCE_CAMPAIGN: "salesforce_campaigns",
    SALESFORCE_CAMPAIGN_MEMBER: "salesforce_campaign_members",
    SALESFORCE_TASK: "salesforce_tasks",
    GOOGLE_ADS_LEAD: "google_ads_leads",
    MAILCHIMP: "mailchimp",
    MAILCHIMP_UNSUBSCRIBED: "mailchimp_unsubscribed",
    MAILCHIMP_CLEANED: "mailchimp_cleaned",
    STRIPE_CUSTOMERS: "stripe_customers",
    STRIPE_CUSTOMERS_OLD: "stripe_customers",
    STRIPE_PAYMENTS: "stripe_payments",
    SHOPIFY_CUSTOMERS: "shopify_customers",
    SHOPIFY_CUSTOMERS_NEW: "shopify_customers",
    CALENDLY: "calendly",
    META_LEADS: "meta_leads",
    WEBFORM: "webform",
    WEBFORM_SHORT: "webform",
    DYNAMICS_LEAD: "dynamics_leads",
    DYNAMICS_CONTACT: "dynamics_contacts",
    DYNAMICS_CONTACT_FRENCH: "dynamics_contacts",
    DYNAMICS_ACCOUNT: "dynamics_accounts",
    ZENDESK: "zendesk_tickets",
    "source,source_key,first_name,last_name,email,phone,lead_source": None,
    "id,name,email": None,
    "id,first_name,last_name,dob,city,email": None,
}
