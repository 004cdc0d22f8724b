-- Rows by region: a role of a region inherits the rights of billing_support and sees the rows of its region. Everybody
-- else sees all rows, and a policy says so: whether readers without one see anything is a setting of the server.
CREATE ROW POLICY OR REPLACE billing_everyone ON
    dim_customer,
    fact_transaction,
    fact_payment_event,
    fact_dispute,
    fact_order_line,
    fact_invoice_balance,
    dim_customer_invoices,
    dim_payment_details,
    dim_product_logistics,
    mart_customers,
    mart_customer_invoice_months,
    fact_invoice_line
USING 1 TO ALL EXCEPT billing_support_north_america, billing_support_europe, billing_support_asia_pacific;

CREATE ROW POLICY OR REPLACE billing_north_america ON
    dim_customer,
    fact_transaction,
    fact_payment_event,
    fact_dispute,
    fact_order_line,
    fact_invoice_balance,
    dim_customer_invoices,
    dim_payment_details,
    dim_product_logistics,
    mart_customers,
    mart_customer_invoice_months
USING region = 'north_america' TO billing_support_north_america;
CREATE ROW POLICY OR REPLACE billing_north_america ON fact_invoice_line
USING invoice_id IN (SELECT invoice_id FROM dim_customer_invoices WHERE region = 'north_america') TO billing_support_north_america;

CREATE ROW POLICY OR REPLACE billing_europe ON
    dim_customer,
    fact_transaction,
    fact_payment_event,
    fact_dispute,
    fact_order_line,
    fact_invoice_balance,
    dim_customer_invoices,
    dim_payment_details,
    dim_product_logistics,
    mart_customers,
    mart_customer_invoice_months
USING region = 'europe' TO billing_support_europe;
CREATE ROW POLICY OR REPLACE billing_europe ON fact_invoice_line
USING invoice_id IN (SELECT invoice_id FROM dim_customer_invoices WHERE region = 'europe') TO billing_support_europe;

CREATE ROW POLICY OR REPLACE billing_asia_pacific ON
    dim_customer,
    fact_transaction,
    fact_payment_event,
    fact_dispute,
    fact_order_line,
    fact_invoice_balance,
    dim_customer_invoices,
    dim_payment_details,
    dim_product_logistics,
    mart_customers,
    mart_customer_invoice_months
USING region = 'asia_pacific' TO billing_support_asia_pacific;
CREATE ROW POLICY OR REPLACE billing_asia_pacific ON fact_invoice_line
USING invoice_id IN (SELECT invoice_id FROM dim_customer_invoices WHERE region = 'asia_pacific') TO billing_support_asia_pacific;
