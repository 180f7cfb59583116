import type { Metadata } from 'next';
import type { ReactNode } from 'react';
import { PageLink } from '@/components/page-link';
import './globals.css';

export const metadata: Metadata = {
  title: 'rivulet chat',
  description: 'A local model in a Next.js application',
};

export default function RootLayout({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <html lang="en">
      <body>
        <header className="bar">
          <span className="brand">rivulet</span>
          <nav>
            <PageLink to="/">Chat</PageLink>
            <PageLink to="/recipe">Structured output</PageLink>
          </nav>
        </header>
        {children}
      </body>
    </html>
  );
}
