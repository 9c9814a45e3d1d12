import { expect, test } from 'vitest';
import { Tickets, type TicketHolder } from '../../src/native/tickets.js';

const holder = (): TicketHolder => ({ resolve: () => {}, reject: () => {} });

/** A ticket that is out. */
function takeOut(tickets: Tickets): { ticket: number; holder: TicketHolder } {
  const taken = { ticket: tickets.next(), holder: holder() };
  tickets.hold(taken.ticket, taken.holder);
  return taken;
}

test('a ticket that has come back has no holder any more', () => {
  const tickets = new Tickets();
  const { ticket, holder: its } = takeOut(tickets);
  expect([tickets.areOut, tickets.holder(ticket)]).toEqual([true, its]);
  expect(tickets.return(ticket)).toBe(its);
  expect([tickets.areOut, tickets.holder(ticket)]).toEqual([false, undefined]);
  expect(tickets.return(ticket)).toBeUndefined();
});

test('many tickets are out at once, each with its holder', () => {
  const tickets = new Tickets();
  const out = Array.from({ length: 10_000 }, () => takeOut(tickets));
  expect(new Set(out.map(({ ticket }) => ticket)).size).toBe(out.length);
  for (const { ticket, holder: its } of out) expect(tickets.return(ticket)).toBe(its);
  expect(tickets.areOut).toBe(false);
});

test('a ticket that is out for long keeps its holder, whatever comes and goes meanwhile', () => {
  const tickets = new Tickets();
  const long = takeOut(tickets);
  const seen = new Set([long.ticket]);
  for (let i = 0; i < 10_000; i++) {
    const { ticket, holder: its } = takeOut(tickets);
    expect(seen.has(ticket)).toBe(false);
    seen.add(ticket);
    expect(tickets.return(ticket)).toBe(its);
  }
  expect(tickets.return(long.ticket)).toBe(long.holder);
});

test('tickets are told apart beyond 2^32', () => {
  const tickets = new Tickets(2 ** 32 - 5);
  const out = Array.from({ length: 10 }, () => takeOut(tickets));
  expect(out.at(-1)?.ticket).toBe(2 ** 32 + 5);
  for (const { ticket, holder: its } of out) expect(tickets.return(ticket)).toBe(its);
});

test('a ticket that nobody has is nobody’s', () => {
  const tickets = new Tickets();
  const { ticket } = takeOut(tickets);
  expect(tickets.holder(ticket + 64)).toBeUndefined();
  expect(tickets.return(ticket + 64)).toBeUndefined();
  expect(tickets.areOut).toBe(true);
});

test('what cannot be sent rejects, and is not out', async () => {
  const tickets = new Tickets();
  const taken = tickets.take(() => {
    throw new Error('closed');
  });
  await expect(taken).rejects.toThrow('closed');
  expect(tickets.areOut).toBe(false);
});
