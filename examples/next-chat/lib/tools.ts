import { tool } from 'ai';
import { z } from 'zod';

/** What tools have changed; a real application has a database here. */
const appointments: { title: string; day: string }[] = [];

export const tools = {
  currentTime: tool({
    description: 'The date and time now.',
    inputSchema: z.object({}),
    execute: () => new Date().toISOString(),
  }),
  bookAppointment: tool({
    description: 'Puts an appointment into the calendar of the user.',
    inputSchema: z.object({
      title: z.string().describe('What the appointment is about.'),
      day: z.string().describe('The day, for example "Monday".'),
    }),
    execute: ({ title, day }) => {
      appointments.push({ title, day });
      return `Booked "${title}" for ${day}; ${appointments.length} in the calendar.`;
    },
  }),
};
